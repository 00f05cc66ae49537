// Contrast as WCAG 2.2 counts it, for the accent colour.

/** The least contrast that text may have with its ground (WCAG 2.2, 1.4.3). */
export const leastContrast = 4.5;

/** Contrast of "#rrggbb" with white, 1 to 21; undefined if it is no such colour. */
export function contrastWithWhite(colour: string): number | undefined {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (!match) {
    return undefined;
  }
  const [r = 0, g = 0, b = 0] = match.slice(1).map((hex) => linear(parseInt(hex, 16) / 255));
  return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
}

/** With two decimals, cut: 4.499 is not shown as 4.5. */
export const ratioText = (ratio: number): string => (Math.floor(ratio * 100) / 100).toFixed(2);

const linear = (share: number): number => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
