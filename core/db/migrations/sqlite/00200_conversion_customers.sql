-- +goose Up
-- Which conversions name a customer; those that name none have no row.
CREATE TABLE conversion_customers (
    conversion_id INTEGER NOT NULL PRIMARY KEY REFERENCES conversions (id),
    program_id    INTEGER NOT NULL,
    customer      TEXT    NOT NULL
) STRICT;
CREATE INDEX conversion_customers_customer ON conversion_customers (program_id, customer, conversion_id);
