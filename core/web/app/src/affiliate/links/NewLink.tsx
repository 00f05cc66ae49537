import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "react-router";

import { text } from "../../text";
import { Loaded } from "../../ui/states";
import type { MyLink } from "../useMyLinks";
import { AddressBuilder } from "./AddressBuilder";
import { LinkForm, NoPrograms } from "./LinkForm";
import { usePrograms } from "./usePrograms";

interface Props {
  opened: boolean;
  onClose: () => void;
  initial?: { program?: string; destination?: string };
}

/** Makes a link, and then hands it out. */
export function NewLink({ opened, onClose, initial }: Props) {
  const [made, setMade] = useState<MyLink>();
  const programs = usePrograms();
  const phone = useMediaQuery("(max-width: 47.99em)");
  const close = () => {
    setMade(undefined);
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={made ? text.myLinks.ready : text.myLinks.create} size={made ? "xl" : "lg"} fullScreen={phone}>
      {made ? (
        <Stack>
          <AddressBuilder slug={made.slug} hosts={programs.data?.find((p) => p.id === made.program_id)?.allowed_hosts} />
          <Group justify="flex-end">
            <Button variant="subtle" onClick={() => setMade(undefined)}>
              {text.myLinks.another}
            </Button>
            <Button variant="default" component={Link} to={`/affiliate/links/${made.id}`}>
              {text.myLinks.openPage}
            </Button>
            <Button onClick={close}>{text.myLinks.done}</Button>
          </Group>
        </Stack>
      ) : (
        <>
          <Text c="dimmed" size="sm" mb="sm">
            {text.myLinks.createAbout}
          </Text>
          <Loaded query={programs}>{(open) => (open.length === 0 ? <NoPrograms /> : <LinkForm programs={open} initial={initial} onMade={setMade} />)}</Loaded>
        </>
      )}
    </Modal>
  );
}
