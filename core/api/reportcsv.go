package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// reportCSV is a report as a table: one line for each row, then other and total. Money has three columns for each
// currency of the report, in major units. What identifiers are called stands last.
func reportCSV(body Report, q report.Query) ([]byte, error) {
	currencies := currenciesOf(body)
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	key := string(q.GroupBy)
	if key == "" {
		key = "key"
	}
	header := []string{"row", "start", key, "clicks", "bots", "uniques", "leads", "sales", "refunds", "conversion_rate"}
	for _, c := range currencies {
		header = append(header, "revenue_"+c, "commission_"+c, "epc_"+c)
	}
	named := identKind(q.GroupBy) != ""
	if named {
		header = append(header, "name")
	}
	write := func(kind, start, key string, f *ReportFigures) error {
		line := []string{kind, start, cell(key)}
		for _, n := range []int64{f.Clicks, f.Bots, f.Uniques, f.Leads, f.Sales, f.Refunds} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		line = append(line, strconv.FormatFloat(f.ConversionRate, 'f', 6, 64))
		for _, c := range currencies {
			line = append(line, moneyCells(f.Money, c)...)
		}
		if named {
			line = append(line, cell(body.Names[key]))
		}
		return w.Write(line)
	}
	err := w.Write(header)
	for i := range body.Rows {
		if err == nil {
			err = write("row", body.Rows[i].Start, body.Rows[i].Key, &body.Rows[i].ReportFigures)
		}
	}
	if body.Other != nil && err == nil {
		err = write("other", "", "", body.Other)
	}
	if err == nil {
		err = write("total", "", "", &body.Total)
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("write report as CSV: %w", err)
	}
	return out.Bytes(), nil
}

func currenciesOf(body Report) []string {
	var all []string
	add := func(list []ReportMoney) {
		for _, m := range list {
			all = append(all, m.Currency)
		}
	}
	add(body.Total.Money)
	for i := range body.Rows {
		add(body.Rows[i].Money)
	}
	if body.Other != nil {
		add(body.Other.Money)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func moneyCells(list []ReportMoney, currency string) []string {
	m := ReportMoney{Currency: currency}
	if i := slices.IndexFunc(list, func(m ReportMoney) bool { return m.Currency == currency }); i >= 0 {
		m = list[i]
	}
	major := func(minor int64) string { return money.Amount{Minor: minor, Currency: currency}.Decimal() }
	decimals, err := money.Decimals(currency)
	if err != nil {
		decimals = 0
	}
	scale := 1.0
	for range decimals {
		scale *= 10
	}
	return []string{major(m.Revenue), major(m.Commission), strconv.FormatFloat(m.EPC/scale, 'f', decimals+2, 64)}
}

// cell keeps a spreadsheet from taking a visitor's text for a formula: who clicks chooses what stands in sub1.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
