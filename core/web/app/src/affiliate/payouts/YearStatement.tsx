import { Card, Group, Select, Text, Title } from "@mantine/core";
import { useState } from "react";

import { fill, text } from "../../text";
import { DownloadButton } from "../../ui/DownloadButton";
import { formatDate } from "../../ui/locale";

const t = text.ownPayouts;
const yearsBack = 5;

interface Props {
  currencies: string[];
  /** When the present tax year began; absent: it is the calendar year. */
  yearFrom?: string | null;
}

/** The statement of a tax year, to be handed to the tax office or an accountant. */
export function YearStatement({ currencies, yearFrom }: Props) {
  // The zone of a tax rule is not ours: a day into the year is in it everywhere.
  const begin = yearFrom ? new Date(Date.parse(yearFrom) + 86_400_000) : new Date(Date.UTC(new Date().getUTCFullYear(), 0, 2));
  const years = Array.from({ length: yearsBack }, (_, i) => begin.getUTCFullYear() - i);
  const [year, setYear] = useState<string | null>(null);
  const [currency, setCurrency] = useState<string | null>(null);
  const chosen = year ?? String(years[0]);
  const money = currency ?? currencies[0] ?? "INR";
  const path = `/api/v1/me/affiliate/payout-statement?year=${chosen}&currency=${money}`;
  const label = (y: number) => {
    const first = Date.UTC(y, begin.getUTCMonth(), 1);
    return fill(t.yearOf, { from: formatDate(first), to: formatDate(Date.UTC(y + 1, begin.getUTCMonth(), 0)) });
  };
  return (
    <Card component="section" aria-label={t.year}>
      <Title order={2} size="h4">
        {t.year}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.yearText}
      </Text>
      <Group align="flex-end">
        <Select label={t.yearLabel} value={chosen} onChange={setYear} allowDeselect={false} data={years.map((y) => ({ value: String(y), label: label(y) }))} miw={250} />
        {currencies.length > 1 && <Select label={t.currency} value={money} onChange={setCurrency} allowDeselect={false} data={currencies} w={110} />}
        <DownloadButton path={`${path}&format=pdf`} name={`payouts-${chosen}-${money}.pdf`} size="sm">
          {t.pdf}
        </DownloadButton>
        <DownloadButton path={`${path}&format=csv`} name={`payouts-${chosen}-${money}.csv`} size="sm">
          {t.csv}
        </DownloadButton>
      </Group>
    </Card>
  );
}
