import { Box, Button, Group, useComputedColorScheme, useMantineTheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { text } from "../text";
import { formatCompact, formatNumber, zonedFormats } from "./locale";
import { SmallTable } from "./table/SmallTable";

export interface Series {
  label: string;
  /** One value for each time; null where there is none. */
  values: (number | null)[];
  format?: (n: number) => string;
  /** On the axis, where there is little room. */
  short?: (n: number) => string;
  /** On a scale of its own, at the right. */
  right?: boolean;
  /** The period before: drawn faintly. */
  faint?: boolean;
  /** Which of the colours; that of a faint line is the one of the line it belongs to. */
  color?: number;
}

interface Props {
  /** Names the chart for screen readers. */
  label: string;
  /** Seconds since the epoch, ascending. */
  times: number[];
  series: Series[];
  /** Hours are shown with their time. */
  hourly?: boolean;
  /** IANA; the reader's if absent. */
  zone?: string;
  height?: number;
}

/** Values over time. The same figures can be had as a table. */
export function TimeChart({ label, times, series, hourly, zone, height = 260 }: Props) {
  const { ref, width } = useElementSize();
  const [asTable, setAsTable] = useState(false);
  return (
    <Box>
      <Group justify="flex-end" mb={4}>
        <Button variant="subtle" size="compact-xs" onClick={() => setAsTable(!asTable)}>
          {asTable ? text.common.byChart : text.common.bySeries}
        </Button>
      </Group>
      <Box ref={ref} style={{ minHeight: height, minWidth: 0 }}>
        {asTable ? <Figures label={label} times={times} series={series} hourly={hourly} zone={zone} /> : width > 0 && <Plot label={label} times={times} series={series} hourly={hourly} zone={zone} width={width} height={height} />}
      </Box>
    </Box>
  );
}

const wholeSteps = Array.from({ length: 13 }, (_, n) => [1, 2, 5].map((step) => step * 10 ** n)).flat();

function Plot({ label, times, series, hourly, zone, width, height }: Props & { width: number; height: number }) {
  const element = useRef<HTMLDivElement>(null);
  const theme = useMantineTheme();
  const dark = useComputedColorScheme("light") === "dark";
  useEffect(() => {
    if (!element.current) {
      return;
    }
    const colors = [theme.colors["accent"], theme.colors["teal"], theme.colors.orange, theme.colors.grape].map((shades) => shades?.[dark ? 4 : 7] ?? "#1f4fd8");
    const ink = dark ? "#c1c7d4" : "#566076";
    const line = dark ? "rgba(255,255,255,.08)" : "rgba(20,30,60,.08)";
    const formats = zonedFormats(zone);
    const at = (seconds: number) => (hourly ? formats.dateTime : formats.date)(seconds * 1000);
    const scaled = (right: boolean) => (_: uPlot, ticks: number[]) => ticks.map(series.find((s) => (s.right ?? false) === right)?.short ?? formatCompact);
    // A label for each step that is drawn: hours within days, days, or months.
    const dated = (_: uPlot, ticks: number[], _axis: number, _space: number, step: number) =>
      ticks.map((t) => (step < 86_400 ? formats.hour : step < 28 * 86_400 ? formats.day : formats.month)(t * 1000));
    // Counts and minor units have no fractions, and neither have the steps of their axis.
    const steps = (right: boolean) => (series.every((s) => (s.right ?? false) !== right || s.values.every((v) => v === null || Number.isInteger(v))) ? { incrs: wholeSteps } : {});
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const plot = new uPlot(
      {
        width,
        height,
        cursor: { y: false, points: { size: 7 } },
        legend: { live: true },
        tzDate: (seconds) => (zone ? uPlot.tzDate(new Date(seconds * 1000), zone) : new Date(seconds * 1000)),
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] }, right: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
        axes: [
          { ...axis, grid: { show: false }, values: dated },
          { ...axis, size: width < 400 ? 42 : 56, values: scaled(false), ...steps(false) },
          ...(series.some((s) => s.right) ? [{ ...axis, side: 1, scale: "right", size: width < 400 ? 46 : 60, grid: { show: false }, values: scaled(true), ...steps(true) }] : []),
        ],
        series: [
          { label: "", value: (_, seconds) => (seconds === null ? "" : at(seconds)) },
          ...series.map((s, i) => {
            const color = colors[(s.color ?? i) % colors.length] ?? "#1f4fd8";
            return {
              label: s.label,
              scale: s.right ? "right" : "y",
              stroke: s.faint ? color + "66" : color,
              fill: !s.faint && i === 0 ? color + "1f" : undefined,
              dash: s.faint ? [4, 4] : undefined,
              width: s.faint ? 1.5 : 2,
              points: { show: times.length < 3 },
              value: (_: uPlot, value: number | null) => (value === null ? "–" : (s.format ?? formatNumber)(value)),
            };
          }),
        ],
      },
      [times, ...series.map((s) => s.values)],
      element.current,
    );
    return () => plot.destroy();
  }, [times, series, hourly, zone, width, height, dark, theme]);
  return <div ref={element} role="img" aria-label={label} />;
}

function Figures({ label, times, series, hourly, zone }: Props) {
  const formats = zonedFormats(zone);
  const rows = times.map((time, i) => ({ time, values: series.map((s) => s.values[i] ?? null) }));
  return (
    <SmallTable
      name={label}
      mah={360}
      rows={rows}
      rowKey={({ time }) => String(time)}
      columns={[
        { key: "time", title: text.common.period, head: true, value: ({ time }) => time, render: ({ time }) => (hourly ? formats.dateTime : formats.date)(time * 1000) },
        ...series.map((s, i) => ({
          key: String(i), title: s.label, align: "right" as const, value: (row: { values: (number | null)[] }) => row.values[i] ?? -Infinity,
          render: (row: { values: (number | null)[] }) => {
            const value = row.values[i];
            return value === null || value === undefined ? "–" : (s.format ?? formatNumber)(value);
          },
        })),
      ]}
    />
  );
}
