-- +goose NO TRANSACTION
-- +goose Up
-- refunded_minor: of a sale, what its refunds took back so far; of a refund, what it took back itself.
-- closed: what is left of a sale or lead to take back: 0 something, 1 it was refunded in full, 2 it was rejected.
CREATE TABLE IF NOT EXISTS conversions (
    id             BIGINT         NOT NULL PRIMARY KEY,
    program_id     BIGINT         NOT NULL,
    type           VARCHAR(8)     NOT NULL,
    txn_id         VARBINARY(128) NOT NULL,
    subject        VARBINARY(128) NOT NULL,
    hash           BINARY(32)     NOT NULL,
    click_id       VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount_minor   BIGINT         NOT NULL,
    currency       VARCHAR(3)     NOT NULL,
    name           VARBINARY(128) NOT NULL,
    channel        VARCHAR(16)    NOT NULL,
    node           INT            NOT NULL,
    received_at    BIGINT         NOT NULL,
    booked_at      BIGINT         NOT NULL,
    state          VARCHAR(16)    NOT NULL,
    reason         VARCHAR(32)    NOT NULL,
    affiliate_id   BIGINT         NOT NULL,
    link_id        BIGINT         NOT NULL,
    attribution    VARCHAR(32)    NOT NULL,
    explanation    TEXT           NOT NULL,
    no_commission  VARCHAR(32)    NOT NULL,
    refunded_minor BIGINT         NOT NULL CHECK (refunded_minor >= 0),
    refunded_currency VARCHAR(3)  NOT NULL,
    closed         TINYINT        NOT NULL,
    UNIQUE KEY conversions_key (program_id, type, txn_id),
    KEY conversions_subject (program_id, subject),
    KEY conversions_program (program_id, id),
    KEY conversions_program_type (program_id, type, id),
    KEY conversions_type (type, id),
    KEY conversions_affiliate (affiliate_id, id),
    KEY conversions_txn (txn_id),
    KEY conversions_state (state, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
