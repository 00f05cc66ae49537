-- +goose NO TRANSACTION
-- +goose Up
-- sha256 is that of the file as it was sent; what is stored is sealed, and of a picture only its dots.
CREATE TABLE IF NOT EXISTS kyc_documents (
    id           BIGINT       NOT NULL PRIMARY KEY,
    affiliate_id BIGINT       NOT NULL,
    country      VARCHAR(2)   NOT NULL,
    kind         VARCHAR(32)  NOT NULL,
    state        VARCHAR(12)  NOT NULL,
    file_name    VARCHAR(160) NOT NULL,
    content_type VARCHAR(32)  NOT NULL,
    size_bytes   BIGINT       NOT NULL,
    sha256       VARCHAR(64)  NOT NULL,
    storage_key  VARCHAR(160) NOT NULL,
    reason       VARCHAR(500) NOT NULL,
    reviewed_by  BIGINT       NOT NULL,
    reviewed_at  BIGINT       NOT NULL,
    created_at   BIGINT       NOT NULL,
    updated_at   BIGINT       NOT NULL,
    KEY kyc_documents_affiliate (affiliate_id, id),
    KEY kyc_documents_state (state, id),
    CHECK (state IN ('awaiting', 'submitted', 'accepted', 'rejected', 'erased')),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
