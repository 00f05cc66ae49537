import { Anchor, Badge, Button, Card, Group, Modal, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Link } from "react-router";

import { ok } from "../api/call";
import { client } from "../api/client";
import { may, useMe } from "../session/Session";
import { text } from "../text";
import { CopyText } from "../ui/CopyText";
import { DownloadButton } from "../ui/DownloadButton";
import { Facts } from "../ui/Facts";
import { Page } from "../ui/Page";
import { StateBadge } from "../ui/StateBadge";
import { ErrorState, Loaded } from "../ui/states";
import { When } from "../ui/When";
import { EraseDialog } from "./EraseDialog";
import { PasswordField } from "./PasswordField";
import { useDeed } from "./useDeed";

const t = text.account;

/** Who somebody is here, what is kept of it, and how to be forgotten. */
export function Profile() {
  const me = useMe();
  return (
    <Page title={text.nav.profile} about={t.about}>
      <Card component="section" aria-label={t.profile}>
        <Stack>
          <Title order={2} size="h4">
            {t.profile}
          </Title>
          <NameForm label={t.name} name={me.name} save={(name) => ok(client.PATCH("/api/v1/me", { body: { name } }))} stale={["me"]} />
          <Facts
            facts={[
              [t.email, me.email],
              [t.roles, <Group gap={6}>{me.roles.map((role) => <Badge key={role} variant="light" tt="none">{t.roleNames[role] ?? role}</Badge>)}</Group>],
              [t.since, <When at={me.created_at} as="date" />],
            ]}
          />
          {!me.read_only && (
            <Group>
              <ChangeEmail />
              <Anchor component={Link} to="/account/security" size="sm">
                {text.nav.security}
              </Anchor>
            </Group>
          )}
        </Stack>
      </Card>
      {me.affiliate_id && may(me, "affiliate:self") && <Affiliate />}
      {!me.read_only && <Privacy />}
    </Page>
  );
}

interface NameFormProps {
  label: string;
  name: string;
  save: (name: string) => Promise<unknown>;
  /** What shows the name. */
  stale: string[];
}

function NameForm({ label, name, save, stale }: NameFormProps) {
  const me = useMe();
  const cache = useQueryClient();
  const [value, setValue] = useState(name);
  const deed = useDeed();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      await save(value.trim());
      await cache.invalidateQueries({ queryKey: stale });
      notifications.show({ message: t.saved });
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <Group align="flex-end">
          <TextInput label={label} value={value} onChange={(e) => setValue(e.currentTarget.value)} maxLength={255} required autoComplete="name" disabled={me.read_only} style={{ flex: "1 1 14rem" }} maw={420} />
          {!me.read_only && (
            <Button type="submit" variant="default" loading={deed.busy} disabled={!value.trim() || value.trim() === name}>
              {t.saveName}
            </Button>
          )}
        </Group>
        {deed.failure !== undefined && <ErrorState error={deed.failure} title={text.error.deed} />}
      </Stack>
    </form>
  );
}

function ChangeEmail() {
  const [opened, setOpened] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [sent, setSent] = useState(false);
  const deed = useDeed();
  const close = () => {
    setOpened(false);
    setSent(false);
    setEmail("");
    setPassword("");
    deed.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      await ok(client.POST("/api/v1/me/email", { body: { email: email.trim(), password } }));
      setSent(true);
    });
  };
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpened(true)}>
        {t.changeEmail}
      </Button>
      <Modal opened={opened} onClose={close} title={t.changeEmail}>
        {sent ? (
          <Stack>
            <Text role="status">{t.emailSent}</Text>
            <Group justify="flex-end">
              <Button onClick={close}>{text.common.close}</Button>
            </Group>
          </Stack>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              <Text size="sm">{t.emailText}</Text>
              <TextInput type="email" label={t.newEmail} value={email} onChange={(e) => setEmail(e.currentTarget.value)} maxLength={254} required autoComplete="email" data-autofocus />
              <PasswordField label={t.password} value={password} onChange={setPassword} />
              {deed.failure !== undefined && <ErrorState error={deed.failure} title={text.error.deed} />}
              <Group justify="flex-end">
                <Button variant="default" onClick={close}>
                  {text.common.cancel}
                </Button>
                <Button type="submit" loading={deed.busy}>
                  {t.changeEmail}
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  );
}

function Affiliate() {
  const profile = useQuery({ queryKey: ["my-affiliate"], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate", { signal })) });
  return (
    <Card component="section" aria-label={t.affiliate}>
      <Stack>
        <Title order={2} size="h4">
          {t.affiliate}
        </Title>
        <Loaded query={profile} lines={3}>
          {(data) => (
            <>
              <NameForm key={data.name} label={t.affiliateName} name={data.name} save={(name) => ok(client.PATCH("/api/v1/me/affiliate", { body: { name } }))} stale={["my-affiliate"]} />
              <Facts
                facts={[
                  [t.affiliateID, <CopyText value={data.id} />],
                  [t.email, <>{data.email} <Text span size="xs" c="dimmed">{t.affiliateText}</Text></>],
                  [t.status, <StateBadge state={data.status} />],
                  [t.since, <When at={data.created_at} as="date" />],
                ]}
              />
            </>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}

function Privacy() {
  const [erasing, setErasing] = useState(false);
  return (
    <>
      <Card component="section" aria-label={t.export}>
        <Title order={2} size="h4">
          {t.export}
        </Title>
        <Text size="sm" mb="sm">
          {t.exportText}
        </Text>
        <Group>
          <DownloadButton path="/api/v1/me/export" name="account.json" size="sm">
            {t.exportGet}
          </DownloadButton>
        </Group>
      </Card>
      <Card component="section" aria-label={t.erase}>
        <Title order={2} size="h4">
          {t.erase}
        </Title>
        <Text size="sm" mb="sm">
          {t.eraseText}
        </Text>
        <Group>
          <Button color="red" variant="light" onClick={() => setErasing(true)}>
            {t.eraseOpen}
          </Button>
        </Group>
      </Card>
      <EraseDialog opened={erasing} onClose={() => setErasing(false)} />
    </>
  );
}
