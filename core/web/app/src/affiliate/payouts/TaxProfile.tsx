import { Button, Card, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ErrorState, Loaded } from "../../ui/states";
import { countries } from "./countries";

const t = text.ownPayouts;

/** Where the affiliate pays tax. */
export function TaxProfile() {
  const profile = useQuery({ queryKey: ["own-tax-profile"], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/tax-profile", { signal })) });
  return (
    <Card component="section" aria-label={t.taxTitle}>
      <Title order={2} size="h4">
        {t.taxTitle}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.taxText}
      </Text>
      <Loaded query={profile} lines={2}>
        {(data) => <TaxForm key={data.country + data.tax_id} profile={data} />}
      </Loaded>
    </Card>
  );
}

function TaxForm({ profile }: { profile: Schemas["TaxProfile"] }) {
  const me = useMe();
  const cache = useQueryClient();
  const [country, setCountry] = useState<string | null>(profile.country || "IN");
  const [taxID, setTaxID] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      await ok(client.PUT("/api/v1/me/affiliate/tax-profile", { body: { country: country ?? "IN", ...(taxID.trim() && { tax_id: taxID.trim() }) } }));
      notifications.show({ message: t.taxSaved });
      await Promise.all([cache.invalidateQueries({ queryKey: ["own-tax-profile"] }), cache.invalidateQueries({ queryKey: ["own-outlook"] })]);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(e) => void save(e)}>
      <Stack gap="sm">
        {!profile.country && <Text size="sm">{t.taxNone}</Text>}
        <Group align="flex-start" grow preventGrowOverflow={false}>
          <Select label={t.country} searchable allowDeselect={false} data={countries()} value={country} onChange={setCountry} disabled={me.read_only} miw={200} />
          <TextInput
            label={country === "IN" ? t.taxIDIndia : t.taxID}
            description={profile.tax_id ? fill(t.taxIDNow, { id: profile.tax_id }) : t.taxIDText}
            inputWrapperOrder={["label", "input", "description", "error"]}
            value={taxID}
            onChange={(e) => setTaxID(e.currentTarget.value)}
            maxLength={40}
            autoComplete="off"
            disabled={me.read_only}
            miw={200}
          />
        </Group>
        {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
        {!me.read_only && (
          <Group>
            <Button type="submit" loading={busy} size="sm">
              {text.common.save}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
