-- +goose Up
-- Whom a customer is bound to. A newer binding replaces an older one only where that has ended.
CREATE TABLE customer_bindings (
    program_id    INTEGER NOT NULL,
    customer      TEXT    NOT NULL,
    affiliate_id  INTEGER NOT NULL,
    link_id       INTEGER NOT NULL,
    conversion_id INTEGER NOT NULL,
    bound_at      INTEGER NOT NULL,
    PRIMARY KEY (program_id, customer)
) STRICT, WITHOUT ROWID;
