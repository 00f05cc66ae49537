-- One row a click. The key serves reports of one affiliate; it also finds a click by its ID, because an ID carries
-- affiliate and time. click_id is the binary form; click_key is a hash of it, for joins: a fifth of the bytes.
CREATE TABLE IF NOT EXISTS {{.Local "clicks"}} {{.OnCluster}} (
    affiliate_id  Int64                  CODEC(ZSTD(1)),
    time          DateTime64(3, 'UTC')   CODEC(Delta(8), ZSTD(1)),
    click_id      FixedString(45)        CODEC(ZSTD(1)),
    program_id    Int64                  CODEC(ZSTD(1)),
    link_id       Int64                  CODEC(ZSTD(1)),
    node          UInt16                 CODEC(ZSTD(1)),
    visitor       UInt64                 CODEC(LZ4),
    bot           LowCardinality(String) CODEC(ZSTD(1)),
    sub1          String                 CODEC(ZSTD(1)),
    sub2          String                 CODEC(ZSTD(1)),
    sub3          String                 CODEC(ZSTD(1)),
    sub4          String                 CODEC(ZSTD(1)),
    sub5          String                 CODEC(ZSTD(1)),
    gclid         String                 CODEC(ZSTD(1)),
    fbclid        String                 CODEC(ZSTD(1)),
    ttclid        String                 CODEC(ZSTD(1)),
    msclkid       String                 CODEC(ZSTD(1)),
    utm_source    LowCardinality(String) CODEC(ZSTD(1)),
    utm_medium    LowCardinality(String) CODEC(ZSTD(1)),
    utm_campaign  LowCardinality(String) CODEC(ZSTD(1)),
    utm_term      LowCardinality(String) CODEC(ZSTD(1)),
    utm_content   LowCardinality(String) CODEC(ZSTD(1)),
    referrer_host LowCardinality(String) CODEC(ZSTD(1)),
    referrer_path String                 CODEC(ZSTD(1)),
    browser       LowCardinality(String) CODEC(ZSTD(1)),
    os            LowCardinality(String) CODEC(ZSTD(1)),
    device        LowCardinality(String) CODEC(ZSTD(1)),
    country       LowCardinality(String) CODEC(ZSTD(1)),
    language      LowCardinality(String) CODEC(ZSTD(1)),
    network       String                 CODEC(ZSTD(1)),
    click_key     UInt64                 MATERIALIZED cityHash64(click_id) CODEC(NONE),
    -- For the listing of all affiliates' clicks, newest first: IDs sort by time.
    PROJECTION by_click_id (SELECT affiliate_id, time, click_id ORDER BY click_id)
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY toYYYYMM(time)
PRIMARY KEY (affiliate_id, time)
ORDER BY (affiliate_id, time, click_id)
SETTINGS {{.Window}};
