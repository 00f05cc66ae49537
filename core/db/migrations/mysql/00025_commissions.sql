-- +goose NO TRANSACTION
-- +goose Up
-- release_at: when the hold ends. released_at: when the commission became payable, 0 before.
CREATE TABLE IF NOT EXISTS commissions (
    id             BIGINT     NOT NULL PRIMARY KEY,
    conversion_id  BIGINT     NOT NULL,
    program_id     BIGINT     NOT NULL,
    affiliate_id   BIGINT     NOT NULL,
    link_id        BIGINT     NOT NULL,
    state          VARCHAR(8) NOT NULL CHECK (state IN ('pending', 'payable', 'paid', 'reversed')),
    currency       VARCHAR(3) NOT NULL,
    amount_minor   BIGINT     NOT NULL CHECK (amount_minor >= 0),
    reversed_minor BIGINT     NOT NULL,
    rule_id        BIGINT     NOT NULL,
    rule_version   BIGINT     NOT NULL,
    explanation    TEXT       NOT NULL,
    created_at     BIGINT     NOT NULL,
    release_at     BIGINT     NOT NULL,
    released_at    BIGINT     NOT NULL,
    UNIQUE KEY commissions_conversion (conversion_id),
    KEY commissions_affiliate (affiliate_id, id),
    KEY commissions_state (state, id),
    KEY commissions_release (state, release_at, id),
    CHECK (reversed_minor >= 0 AND reversed_minor <= amount_minor),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id),
    FOREIGN KEY (rule_id, rule_version) REFERENCES commission_rule_versions (rule_id, version)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
