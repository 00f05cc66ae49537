-- +goose Up
-- sha256 is that of the file as it was sent; what is stored is sealed, and of a picture only its dots.
CREATE TABLE kyc_documents (
    id           INTEGER NOT NULL PRIMARY KEY,
    affiliate_id INTEGER NOT NULL,
    country      TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    file_name    TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,
    storage_key  TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    reviewed_by  INTEGER NOT NULL,
    reviewed_at  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (state IN ('awaiting', 'submitted', 'accepted', 'rejected', 'erased')),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) STRICT;
CREATE INDEX kyc_documents_affiliate ON kyc_documents (affiliate_id, id);
CREATE INDEX kyc_documents_state ON kyc_documents (state, id);
