-- +goose NO TRANSACTION
-- +goose Up
-- A conversion may earn several commissions: one for each line (0: the whole sale) and level (0: whom the conversion
-- belongs to, 1: his sponsor, and so on). replaced_at: when an assignment by hand took it away, 0: it counts. paid_at: when a
-- payout was settled with it, 0: not.
ALTER TABLE commissions ADD COLUMN line_id BIGINT NOT NULL DEFAULT 0, ADD COLUMN level SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN paid_at BIGINT NOT NULL DEFAULT 0, ADD COLUMN replaced_at BIGINT NOT NULL DEFAULT 0,
    ADD KEY commissions_of (conversion_id, id), DROP KEY commissions_conversion;
