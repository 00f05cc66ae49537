-- +goose Up
-- sponsor_id: the affiliate who brought this one; 0: nobody. group_id 0: no group.
ALTER TABLE affiliates ADD COLUMN sponsor_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE affiliates ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX affiliates_sponsor ON affiliates (sponsor_id, id);
CREATE INDEX affiliates_group ON affiliates (group_id, id);
