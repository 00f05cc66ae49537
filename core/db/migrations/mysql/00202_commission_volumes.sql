-- +goose NO TRANSACTION
-- +goose Up
-- What a rule has paid one affiliate in a calendar month (year * 100 + month) of the program's time zone. Locked by each sale
-- that a tier or a monthly cap is looked up for.
CREATE TABLE IF NOT EXISTS commission_volumes (
    rule_id      BIGINT     NOT NULL,
    affiliate_id BIGINT     NOT NULL,
    month        INT        NOT NULL,
    currency     VARCHAR(3) NOT NULL,
    sales        BIGINT     NOT NULL,
    net_minor    BIGINT     NOT NULL,
    earned_minor BIGINT     NOT NULL,
    PRIMARY KEY (rule_id, affiliate_id, month, currency)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
