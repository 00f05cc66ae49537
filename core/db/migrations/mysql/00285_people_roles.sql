-- +goose NO TRANSACTION
-- +goose Up
-- Who holds a role: owners are counted by it, and staff are listed.
ALTER TABLE people ADD KEY people_roles (roles, id);
