-- One row a fact; a fact that came twice in different batches has one row after merges, and with FINAL at once.
-- click_affiliate_id and click_time are those in the click ID; with click_key they lead to the click.
CREATE TABLE IF NOT EXISTS {{.Local "facts"}} {{.OnCluster}} (
    id                 Int64                  CODEC(ZSTD(1)),
    time               DateTime64(3, 'UTC')   CODEC(Delta(8), ZSTD(1)),
    click_id           FixedString(45)        CODEC(ZSTD(1)),
    click_affiliate_id Int64                  CODEC(ZSTD(1)),
    click_time         DateTime64(3, 'UTC')   CODEC(Delta(8), ZSTD(1)),
    program_id         Int64                  CODEC(ZSTD(1)),
    affiliate_id       Int64                  CODEC(ZSTD(1)),
    link_id            Int64                  CODEC(ZSTD(1)),
    leads              Int64                  CODEC(ZSTD(1)),
    sales              Int64                  CODEC(ZSTD(1)),
    refunds            Int64                  CODEC(ZSTD(1)),
    currency           LowCardinality(String) CODEC(ZSTD(1)),
    revenue            Int64                  CODEC(ZSTD(1)),
    commission         Int64                  CODEC(ZSTD(1)),
    click_key          UInt64                 MATERIALIZED cityHash64(click_id) CODEC(NONE)
)
ENGINE = {{.Engine "ReplacingMergeTree"}}
PARTITION BY toYYYYMM(time)
ORDER BY id
SETTINGS {{.Window}};
