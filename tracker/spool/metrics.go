package spool

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the histograms, which the spool observes as it goes, and the descriptions of what Collect reads from one
// snapshot: at every scrape recovered + appended = delivered + quarantined + pending.
type metrics struct {
	write, sync, group prometheus.Histogram

	recovered, appended, delivered, quarantined *prometheus.Desc
	pendingRecords, pendingBytes, oldest        *prometheus.Desc
	refused, corruptions, roomWaits             *prometheus.Desc
	writeFailures, syncFailures                 *prometheus.Desc
	segments, disk, limit, unsynced             *prometheus.Desc
	quarantineBytes                             *prometheus.Desc
}

func newMetrics(name string) *metrics {
	labels := prometheus.Labels{"spool": name}
	desc := func(name, help string, variable ...string) *prometheus.Desc {
		return prometheus.NewDesc("edgeref_spool_"+name, help, variable, labels)
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "edgeref_spool_" + name, Help: help, ConstLabels: labels, Buckets: buckets,
		})
	}
	durations := prometheus.ExponentialBuckets(4e-6, 4, 11) // 4 microseconds to 4 seconds
	return &metrics{
		write: histogram("write_duration_seconds", "Time of one write of a group of records into the kernel.", durations),
		sync:  histogram("sync_duration_seconds", "Time of one sync of a segment to the disk.", durations),
		group: histogram("group_records", "Records per write.", prometheus.ExponentialBuckets(1, 2, 12)),

		recovered:       desc("recovered_records", "Undelivered records found at start."),
		appended:        desc("appended_records_total", "Records acknowledged."),
		delivered:       desc("delivered_records_total", "Records acknowledged by the sink."),
		quarantined:     desc("quarantined_records_total", "Records that cannot be delivered: damaged on disk, or not decodable."),
		pendingRecords:  desc("pending_records", "Records not yet delivered."),
		pendingBytes:    desc("pending_bytes", "Bytes on disk not yet delivered."),
		oldest:          desc("oldest_pending_seconds", "Age of the oldest record not yet delivered; never too small."),
		refused:         desc("refused_records_total", "Records refused, by reason.", "reason"),
		corruptions:     desc("corruptions_total", "Places on disk found damaged."),
		roomWaits:       desc("group_full_waits_total", "Times that a caller had to wait because the group being gathered was full."),
		writeFailures:   desc("write_failures_total", "Groups of records that could not be written."),
		syncFailures:    desc("sync_failures_total", "Syncs that failed."),
		segments:        desc("segments", "Segment files."),
		disk:            desc("disk_bytes", "Bytes on disk, of segments and quarantine."),
		limit:           desc("limit_bytes", "Bytes on disk beyond which records are refused."),
		unsynced:        desc("unsynced_bytes", "Bytes acknowledged that a loss of power would lose."),
		quarantineBytes: desc("quarantine_bytes", "Bytes in quarantine."),
	}
}

func (s *Spool) register() error {
	s.metrics = newMetrics(s.opt.Name)
	if s.opt.Registerer == nil {
		return nil
	}
	if err := s.opt.Registerer.Register(s); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

func (s *Spool) unregister() {
	if s.opt.Registerer != nil {
		s.opt.Registerer.Unregister(s)
	}
}

// Describe implements prometheus.Collector.
func (s *Spool) Describe(ch chan<- *prometheus.Desc) {
	m := s.metrics
	for _, d := range []*prometheus.Desc{
		m.recovered, m.appended, m.delivered, m.quarantined, m.pendingRecords, m.pendingBytes, m.oldest, m.refused,
		m.corruptions, m.roomWaits, m.writeFailures, m.syncFailures, m.segments, m.disk, m.limit, m.unsynced, m.quarantineBytes,
	} {
		ch <- d
	}
	for _, h := range []prometheus.Histogram{m.write, m.sync, m.group} {
		h.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (s *Spool) Collect(ch chan<- prometheus.Metric) {
	s.mu.Lock()
	st, c, quarantine := s.stats(), s.counts, s.quarBytes
	s.mu.Unlock()
	m := s.metrics
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(m.recovered, float64(st.Recovered))
	counter(m.appended, st.Appended)
	counter(m.delivered, st.Delivered)
	counter(m.quarantined, st.Quarantined)
	gauge(m.pendingRecords, float64(st.PendingRecords))
	gauge(m.pendingBytes, float64(st.PendingBytes))
	gauge(m.oldest, st.OldestAge.Seconds())
	for i, reason := range reasons {
		counter(m.refused, c.refused[i], reason)
	}
	counter(m.corruptions, c.corruptions)
	counter(m.roomWaits, c.roomWaits)
	counter(m.writeFailures, c.writeFailures)
	counter(m.syncFailures, c.syncFailures)
	gauge(m.segments, float64(st.Segments))
	gauge(m.disk, float64(st.DiskBytes))
	gauge(m.limit, float64(st.LimitBytes))
	gauge(m.unsynced, float64(st.UnsyncedBytes))
	gauge(m.quarantineBytes, float64(quarantine))
	for _, h := range []prometheus.Histogram{m.write, m.sync, m.group} {
		h.Collect(ch)
	}
}
