package system

import (
	"fmt"
	"strconv"
	"strings"
)

// Samples are the values of a scrape by metric name and labels, as in `name{a="b"}`.
type Samples map[string]float64

// ParseMetrics reads the Prometheus text format. Comments, time stamps and exemplars are skipped.
func ParseMetrics(text string) (Samples, error) {
	s := Samples{}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		series, rest, ok := cutSeries(line)
		if !ok {
			return nil, fmt.Errorf("metrics, line %d: not a sample: %.60q", n+1, line)
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return nil, fmt.Errorf("metrics, line %d: no value: %.60q", n+1, line)
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics, line %d: value %.20q", n+1, fields[0])
		}
		s[series] = v
	}
	return s, nil
}

// cutSeries splits a sample into name with labels, and the rest. Label values may hold any escaped text.
func cutSeries(line string) (series, rest string, ok bool) {
	end := strings.IndexAny(line, "{ \t")
	if end <= 0 {
		return "", "", false
	}
	if line[end] != '{' {
		return line[:end], line[end:], true
	}
	quoted := false
	for i := end + 1; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '}' && !quoted:
			return line[:i+1], line[i+1:], true
		}
	}
	return "", "", false
}

// Sum adds up a metric over all series that have the label (given as `name="value"`; "": all series). found says
// whether there is any.
func (s Samples) Sum(name, label string) (total float64, found bool) {
	for series, v := range s {
		base, labels, _ := strings.Cut(series, "{")
		if base == name && (label == "" || strings.Contains("{"+labels, "{"+label) || strings.Contains(labels, ","+label)) {
			total, found = total+v, true
		}
	}
	return total, found
}

// Equation says that one sum of metrics equals another.
type Equation struct {
	Name        string
	Left, Right float64
}

// Equations are the equations that hold on an edge node at all times. Those of parts that do not run there are left out.
func (s Samples) Equations() []Equation {
	var list []Equation
	if received, ok := s.Sum("edgeref_tracker_clicks_received_total", ""); ok {
		recorded, _ := s.Sum("edgeref_tracker_clicks_recorded_total", "")
		refused, _ := s.Sum("edgeref_tracker_clicks_refused_total", "")
		list = append(list, Equation{"clicks received = recorded + refused", received, recorded + refused})
	}
	for _, spool := range []string{"clicks", "conversions"} {
		sum := func(what string) float64 {
			v, _ := s.Sum("edgeref_spool_"+what, `spool="`+spool+`"`)
			return v
		}
		if _, ok := s.Sum("edgeref_spool_appended_records_total", `spool="`+spool+`"`); ok {
			list = append(list, Equation{spool + " recovered + appended = delivered + quarantined + pending",
				sum("recovered_records") + sum("appended_records_total"),
				sum("delivered_records_total") + sum("quarantined_records_total") + sum("pending_records")})
		}
	}
	return list
}

// Pending is how many records have not reached their store, as far as this scrape knows.
func (s Samples) Pending() float64 {
	spooled, _ := s.Sum("edgeref_spool_pending_records", "")
	outbox, _ := s.Sum("edgeref_outbox_pending_records", "")
	return spooled + outbox
}

// By adds up a metric for each value of a label. Values are as the text format writes them, escapes included.
func (s Samples) By(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for series, v := range s {
		base, labels, _ := strings.Cut(series, "{")
		if base != name {
			continue
		}
		_, rest, ok := strings.Cut(","+strings.TrimSuffix(labels, "}"), ","+label+`="`)
		if !ok {
			continue
		}
		value, _, _ := strings.Cut(rest, `"`)
		sums[value] += v
	}
	return sums
}
