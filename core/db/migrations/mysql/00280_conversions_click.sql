-- +goose NO TRANSACTION
-- +goose Up
-- Who looks for a Click ID finds what it led to.
ALTER TABLE conversions ADD KEY conversions_click (click_id, id);
