-- +goose NO TRANSACTION
-- +goose Up
-- What was sold, frozen. bundle_id: the bundle whose part it is, or 0. earns: it is of the program of the order. entitlements: JSON.
CREATE TABLE IF NOT EXISTS order_lines (
    id             BIGINT NOT NULL PRIMARY KEY,
    order_id       BIGINT NOT NULL,
    position       BIGINT NOT NULL,
    product_id     BIGINT NOT NULL,
    bundle_id      BIGINT NOT NULL,
    name           VARCHAR(255) NOT NULL,
    sku            VARCHAR(64) NOT NULL,
    tax_code       VARCHAR(16) NOT NULL,
    tax_bp         BIGINT NOT NULL,
    tax_included   TINYINT NOT NULL,
    earns          TINYINT NOT NULL,
    list_minor     BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    net_minor      BIGINT NOT NULL,
    tax_minor      BIGINT NOT NULL,
    cgst_minor     BIGINT NOT NULL,
    sgst_minor     BIGINT NOT NULL,
    igst_minor     BIGINT NOT NULL,
    gross_minor    BIGINT NOT NULL,
    hold_days      BIGINT NOT NULL,
    entitlements   TEXT NOT NULL,
    UNIQUE KEY order_lines_position (order_id, position),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (discount_minor >= 0 AND discount_minor <= list_minor),
    CHECK (net_minor >= 0 AND tax_minor >= 0),
    CHECK (gross_minor = net_minor + tax_minor),
    CHECK (cgst_minor + sgst_minor + igst_minor = 0 OR cgst_minor + sgst_minor + igst_minor = tax_minor)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
