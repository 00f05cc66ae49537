import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";

import { text } from "../../text";
import { useStaffArea } from "./area";

/** A thing by its name, with the way to its page. */
export function Ref({ id, name }: { id: string; name?: string }) {
  const { pageOf } = useStaffArea();
  if (!id) {
    return (
      <Text component="span" inherit c="dimmed">
        {text.common.none}
      </Text>
    );
  }
  const to = pageOf(id);
  return to ? (
    <Anchor component={Link} to={to} inherit underline="hover" style={{ overflowWrap: "break-word" }}>
      {name ?? id}
    </Anchor>
  ) : (
    <>{name ?? id}</>
  );
}
