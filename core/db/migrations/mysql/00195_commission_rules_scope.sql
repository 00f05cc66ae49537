-- +goose NO TRANSACTION
-- +goose Up
-- Rules for a product or a group: one live rule for each program, affiliate, group, product (0: all) and trigger.
ALTER TABLE commission_rules ADD COLUMN group_id BIGINT NOT NULL DEFAULT 0, ADD COLUMN product_id BIGINT NOT NULL DEFAULT 0,
    DROP KEY commission_rules_live,
    ADD UNIQUE KEY commission_rules_scope (program_id, affiliate_id, group_id, product_id, trigger_type, live);
