-- +goose NO TRANSACTION
-- +goose Up
-- Never changed: of those of a country and currency, the one with the latest valid_from counts. confirmed_by: the accountant; empty: nobody has.
CREATE TABLE IF NOT EXISTS tax_rules (
    id              BIGINT       NOT NULL PRIMARY KEY,
    name            VARCHAR(64)  NOT NULL,
    country         VARCHAR(2)   NOT NULL,
    currency        VARCHAR(3)   NOT NULL,
    rate_bp         BIGINT       NOT NULL,
    no_id_rate_bp   BIGINT       NOT NULL,
    threshold_minor BIGINT       NOT NULL,
    threshold_mode  VARCHAR(8)   NOT NULL,
    begin_month     BIGINT       NOT NULL,
    begin_day       BIGINT       NOT NULL,
    utc_offset_min  BIGINT       NOT NULL,
    round_minor     BIGINT       NOT NULL,
    valid_from      BIGINT       NOT NULL,
    confirmed_by    VARCHAR(128) NOT NULL,
    note            VARCHAR(500) NOT NULL,
    created_at      BIGINT       NOT NULL,
    UNIQUE KEY tax_rules_from (country, currency, valid_from),
    CHECK (threshold_mode IN ('whole', 'excess')),
    CHECK (rate_bp BETWEEN 0 AND 10000),
    CHECK (no_id_rate_bp BETWEEN 0 AND 10000)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
