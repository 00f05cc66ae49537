import { ActionIcon, Alert, AppShell, Badge, Box, Burger, Button, Divider, Group, Menu, NavLink, ScrollArea, Text, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useDisclosure, useNetwork } from "@mantine/hooks";
import { IconCheck, IconChevronDown, IconCloudOff, IconEye, IconLogout, IconMoon, IconShieldLock, IconSun, IconSunMoon, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { Link, NavLink as RouterLink, Outlet, useLocation } from "react-router";

import { isProblem, isUnreachable } from "../api/problem";
import { config } from "../config";
import { SecondFactorDialog } from "../session/SecondFactorDialog";
import { useMe } from "../session/Session";
import { signOut, stopViewing } from "../session/session";
import { fill, text } from "../text";
import { LoadingState } from "./states";

export interface NavItem {
  to: string;
  label: string;
  icon: ReactNode;
  /** Only this very path, as of an overview. */
  end?: boolean;
}

export interface NavGroup {
  label?: string;
  items: NavItem[];
}

interface Props {
  /** Of the area, from the top. */
  nav: NavGroup[];
  areas: { to: string; label: string }[];
}

/** What stands around every page: areas, navigation, who is signed in. */
export function Shell({ nav, areas }: Props) {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    close();
    // In a navigation that is longer than the window; the areas, above, are phones' alone.
    [...document.querySelectorAll(".nav.active")].at(-1)?.scrollIntoView({ block: "nearest" });
    if (!first.current) {
      main.current?.focus({ preventScroll: true }); // screen readers begin to read the new page
      scrollTo({ top: 0 });
    }
    first.current = false;
  }, [pathname, close]);

  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !opened } }} padding={{ base: "md", md: "xl" }}>
      <a href="#main" className="skip">
        {text.shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={text.shell.menu} aria-expanded={opened} />
          <UnstyledButton component={Link} to="/" style={{ minWidth: 0 }}>
            <Group gap="xs" wrap="nowrap">
              <img src="/app/icon.svg" alt="" width={24} height={24} />
              <Text fw={650} truncate>
                {config.site}
              </Text>
            </Group>
          </UnstyledButton>
          {config.demo && (
            <Badge color="orange" variant="light" tt="none" title={text.shell.demoText} style={{ flex: "none" }}>
              <Box component="span" hiddenFrom="xs">
                {text.shell.demoShort}
              </Box>
              <Box component="span" visibleFrom="xs">
                {text.shell.demo}
              </Box>
            </Badge>
          )}
          <Box style={{ flex: 1 }} />
          {areas.length > 1 && (
            <Box visibleFrom="sm">
              <Areas areas={areas} />
            </Box>
          )}
          <SchemeMenu />
          <PersonMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label={text.shell.menu}>
        <AppShell.Section grow component={ScrollArea} p="xs">
          {areas.length > 1 && (
            <Box hiddenFrom="sm" mb="sm" role="group" aria-label={text.shell.area}>
              {areas.map(({ to, label }) => (
                <NavLink key={to} component={RouterLink} to={to} label={label} className="nav" />
              ))}
              <Divider mt="xs" />
            </Box>
          )}
          {nav.map((group, i) => (
            <Box key={group.label ?? i} mb="sm" role={group.label ? "group" : undefined} aria-label={group.label}>
              {group.label && (
                <Text size="xs" fw={650} c="dimmed" px="sm" pt="xs" pb={4}>
                  {group.label}
                </Text>
              )}
              {group.items.map(({ to, label, icon, end }) => (
                <NavLink key={to} component={RouterLink} to={to} end={end} label={label} leftSection={icon} className="nav" />
              ))}
            </Box>
          ))}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} className="main">
        <Box maw={1240} mx="auto">
          <Viewing />
          <Connection />
          <Suspense fallback={<LoadingState lines={8} />}>
            <Outlet />
          </Suspense>
        </Box>
      </AppShell.Main>
      <SecondFactorDialog />
    </AppShell>
  );
}

const askAgain = 5_000; // ms

/** Says that there is no network, or that the core does not answer; then what failed is asked for until it does. */
function Connection() {
  const { online } = useNetwork();
  const cache = useQueryClient();
  const [away, setAway] = useState(false);
  useEffect(
    () =>
      cache.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "success" && !event.action.manual) {
          setAway(false);
        } else if (event.type === "updated" && (event.action.type === "failed" || event.action.type === "error") && isUnreachable(event.action.error) && !isProblem(event.action.error)) {
          setAway(true);
        }
      }),
    [cache],
  );
  useEffect(() => {
    if (away && online) {
      const again = setInterval(() => void cache.refetchQueries({ type: "active", predicate: ({ state }) => state.error !== null }), askAgain);
      return () => clearInterval(again);
    }
    return undefined;
  }, [away, online, cache]);
  return (
    (!online || away) && (
      <Alert color="yellow" icon={<IconCloudOff />} mb="md" role="status">
        {online ? text.shell.away : text.shell.offline}
      </Alert>
    )
  );
}

function Viewing() {
  const me = useMe();
  const cache = useQueryClient();
  if (!me.read_only) {
    return null;
  }
  const back = () => {
    stopViewing();
    cache.clear();
    location.assign("/app/");
  };
  return (
    <Alert color="orange" icon={<IconEye />} mb="md" role="status">
      <Group justify="space-between">
        <Text size="sm">{fill(text.shell.viewing, { name: me.name || me.email })}</Text>
        <Button size="xs" color="orange" variant="light" onClick={back}>
          {text.shell.stopViewing}
        </Button>
      </Group>
    </Alert>
  );
}

function Areas({ areas }: { areas: Props["areas"] }) {
  const { pathname } = useLocation();
  const now = areas.find(({ to }) => pathname.startsWith(to));
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="xs" rightSection={<IconChevronDown size={14} />} aria-label={`${text.shell.area}: ${now?.label ?? text.shell.account}`}>
          {now?.label ?? text.shell.account}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {areas.map(({ to, label }) => (
          <Menu.Item key={to} component={Link} to={to}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

const schemes: { value: MantineColorScheme; label: string; icon: ReactNode }[] = [
  { value: "light", label: text.shell.light, icon: <IconSun size={16} /> },
  { value: "dark", label: text.shell.dark, icon: <IconMoon size={16} /> },
  { value: "auto", label: text.shell.system, icon: <IconSunMoon size={16} /> },
];

function SchemeItems() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return schemes.map(({ value, label, icon }) => (
    <Menu.Item key={value} leftSection={icon} rightSection={value === colorScheme && <IconCheck size={16} aria-hidden />} onClick={() => setColorScheme(value)} aria-current={value === colorScheme || undefined}>
      {label}
    </Menu.Item>
  ));
}

function SchemeMenu() {
  const { colorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={text.shell.scheme} visibleFrom="xs">
          {schemes.find((s) => s.value === colorScheme)?.icon}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <SchemeItems />
      </Menu.Dropdown>
    </Menu>
  );
}

function PersonMenu() {
  const me = useMe();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={`${text.shell.account}: ${me.name || me.email}`}>
          <IconUser size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" truncate>
            {me.name}
          </Text>
          <Text size="xs" truncate>
            {me.email}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/account" leftSection={<IconUser size={16} />}>
          {text.nav.profile}
        </Menu.Item>
        <Menu.Item component={Link} to="/account/security" leftSection={<IconShieldLock size={16} />}>
          {text.nav.security}
        </Menu.Item>
        <Box hiddenFrom="xs">
          <Menu.Divider />
          <Menu.Label>{text.shell.scheme}</Menu.Label>
          <SchemeItems />
        </Box>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          {text.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
