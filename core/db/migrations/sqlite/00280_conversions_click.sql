-- +goose Up
-- Who looks for a Click ID finds what it led to.
CREATE INDEX conversions_click ON conversions (click_id, id) WHERE click_id <> '';
