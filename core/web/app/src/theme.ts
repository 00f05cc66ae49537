import { createTheme, rem, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

import { text } from "./text";

// The accent of the sign-in pages and the public site, in ten shades; the seventh is #1f4fd8 itself.
const accent: MantineColorsTuple = ["#edf2ff", "#dbe5ff", "#b5c8fb", "#8ca9f7", "#6a8ff3", "#4f79ec", "#3261e3", "#1f4fd8", "#1a43ba", "#15379b"];
const teal: MantineColorsTuple = ["#e5fbf7", "#ccf5ec", "#99ead9", "#63dfc5", "#38d0b2", "#1fc4a5", "#16b8a6", "#0b7f72", "#0b7468", "#07564d"];
// White is readable on the shades that buttons are filled with: the eighth in light, the seventh in dark.
const red: MantineColorsTuple = ["#fff5f5", "#ffe3e3", "#ffc9c9", "#ffa8a8", "#ff8787", "#f8625f", "#d92d2d", "#c92a2a", "#b02525", "#96201f"];
// The dark ground, cards and lines of the public pages (look/tokens.css): text, quiet text, lines, fields, hover, cards.
const dark: MantineColorsTuple = ["#e8ecf4", "#c5cddc", "#a3adc2", "#7d879d", "#3a4459", "#2e374a", "#222938", "#1a202d", "#141925", "#0c1018"];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, teal, red, dark },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Devanagari", sans-serif',
  headings: { fontWeight: "650", sizes: { h1: { fontSize: rem(26), lineHeight: "1.25" }, h2: { fontSize: rem(18), lineHeight: "1.35" } } },
  defaultRadius: "md",
  cursorType: "pointer",
  autoContrast: true,
  luminanceThreshold: 0.18, // from here on black is more readable than white
  respectReducedMotion: true,
  components: {
    Card: { defaultProps: { withBorder: true, radius: "lg", padding: "lg" } },
    Tooltip: { defaultProps: { events: { hover: true, focus: true, touch: true } } },
    Modal: { defaultProps: { radius: "lg", centered: true, closeButtonProps: { "aria-label": text.common.close } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": text.common.close } } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": text.common.close } } },
    Anchor: { defaultProps: { underline: "always" } },
  },
});

// Colours of ours are variables by the scheme that was chosen: light-dark() of stylesheets is built into what the system prefers.
// Mantine's quiet greys and the texts of its light variants have too little contrast on our grounds (WCAG 2.2, 1.4.3 asks for 4.5:1).
export const variables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    "--ground": "#f3f5f9", // behind the cards
    "--track": "#e6eaf2", // of choices
    "--ring": "var(--mantine-color-accent-7)", // around what has the focus
    "--shade": "rgb(20 30 60 / 0.28)", // where something goes on
    "--pointed": "var(--mantine-color-gray-0)", // a row under the pointer
    "--marked": "rgb(31 79 216 / 0.04)", // a column that others are ordered by
    "--was": "var(--mantine-color-red-0)",
    "--is": "var(--mantine-color-teal-0)",
    "--mantine-color-dimmed": "#566076",
    "--mantine-color-placeholder": "#6b7488",
    "--mantine-color-red-text": "var(--mantine-color-red-9)",
    "--mantine-color-teal-text": "var(--mantine-color-teal-8)",
    "--mantine-color-error": "var(--mantine-color-red-9)",
    ...Object.fromEntries(Object.keys(colors).map((name) => [`--mantine-color-${name}-light-color`, `color-mix(in srgb, var(--mantine-color-${name}-9) 72%, black)`])),
    "--mantine-color-accent-light-color": "var(--mantine-color-accent-8)",
  },
  dark: {
    "--ground": "#10141d",
    "--track": "var(--mantine-color-dark-9)",
    "--ring": "var(--mantine-color-accent-3)",
    "--shade": "rgb(0 0 0 / 0.7)",
    "--pointed": "var(--mantine-color-dark-5)",
    "--marked": "rgb(106 143 243 / 0.08)",
    "--was": "rgb(255 110 110 / 0.16)",
    "--is": "rgb(80 220 180 / 0.16)",
    "--mantine-color-dimmed": "#a3adc2",
    "--mantine-color-placeholder": "#98a2b8",
    "--mantine-color-error": "var(--mantine-color-red-4)",
    ...Object.fromEntries(Object.keys(colors).map((name) => [`--mantine-color-${name}-light-color`, `var(--mantine-color-${name}-2)`])),
  },
});
