import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";

/** A thing by its name, leading to its page if it has one. */
export function Named({ id, path, children }: { id: string; path?: (id: string) => string; children?: ReactNode }) {
  const name = children ?? id;
  return path ? (
    <Anchor component={Link} to={path(id)} inherit>
      {name}
    </Anchor>
  ) : (
    <>{name}</>
  );
}
