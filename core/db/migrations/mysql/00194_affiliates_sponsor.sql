-- +goose NO TRANSACTION
-- +goose Up
-- sponsor_id: the affiliate who brought this one; 0: nobody. group_id 0: no group.
ALTER TABLE affiliates ADD COLUMN sponsor_id BIGINT NOT NULL DEFAULT 0, ADD COLUMN group_id BIGINT NOT NULL DEFAULT 0,
    ADD KEY affiliates_sponsor (sponsor_id, id), ADD KEY affiliates_group (group_id, id);
