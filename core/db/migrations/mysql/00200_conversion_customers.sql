-- +goose NO TRANSACTION
-- +goose Up
-- Which conversions name a customer; those that name none have no row.
CREATE TABLE IF NOT EXISTS conversion_customers (
    conversion_id BIGINT         NOT NULL PRIMARY KEY,
    program_id    BIGINT         NOT NULL,
    customer      VARBINARY(128) NOT NULL,
    KEY conversion_customers_customer (program_id, customer, conversion_id),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
