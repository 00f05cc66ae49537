import { useMemo } from "react";

import { text } from "../text";
import { zonedFormats } from "../ui/locale";
import { columnsFor } from "./columns";
import { CSVButton } from "./CSVButton";
import { buckets, type Span } from "./figures";
import { MetricTable } from "./MetricTable";
import type { Query, Report, Whose } from "./report";
import type { ViewControl } from "./useView";

interface Props {
  control: ViewControl;
  whose: Whose;
  span: Span;
  query: Query;
  report: Report;
  currency: string;
}

/** The same figures by hour, day or week, the newest first. */
export function TimeTable({ control: { view }, whose, span: { from, to, zone }, query, report, currency }: Props) {
  const hourly = view.step === "hour";
  const lines = useMemo(() => {
    const formats = zonedFormats(zone);
    return buckets(report.rows, { from, to, zone }, view.step)
      .filter((b) => b.start <= Date.now())
      .reverse()
      .map(({ start, figures }) => ({ key: String(start), head: <span style={{ whiteSpace: "nowrap" }}>{(hourly ? formats.dateTime : formats.date)(start)}</span>, figures }));
  }, [report, from, to, zone, view.step, hourly]);
  return (
    <MetricTable
      label={text.analytics.dimensions.time} heading={text.analytics.steps[view.step]} columns={columnsFor(report.total, currency, view.metric)} chosen={view.metric}
      currency={currency} lines={lines} total={report.total} footer={view.step === "week" ? text.analytics.csvWeek : undefined}
      toolbar={<CSVButton whose={whose} query={{ ...query, bucket: hourly ? "hour" : "day" }} name={hourly ? "hours" : "days"} />}
    />
  );
}
