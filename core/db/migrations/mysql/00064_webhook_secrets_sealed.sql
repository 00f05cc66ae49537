-- +goose NO TRANSACTION
-- +goose Up
-- A sealed secret is longer than the secret.
ALTER TABLE webhook_endpoints MODIFY secret VARCHAR(255) NOT NULL, MODIFY previous_secret VARCHAR(255) NOT NULL;
