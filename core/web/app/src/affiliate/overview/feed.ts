// What happens with the affiliate's links, put in one row.
import type { Schemas } from "../../api/client";

export interface Happening {
  key: string;
  at: string;
  click?: Schemas["Click"];
  conversion?: Schemas["Conversion"];
}

/** The newest of both, the newest first. */
export function happenings(clicks: readonly Schemas["Click"][], conversions: readonly Schemas["Conversion"][], since: number, limit: number): Happening[] {
  const all: Happening[] = [
    ...clicks.map((click) => ({ key: click.id, at: click.time, click })),
    ...conversions.map((conversion) => ({ key: conversion.id, at: conversion.booked_at, conversion })),
  ];
  return all
    .filter(({ at }) => Date.parse(at) >= since)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, limit);
}
