import { Alert, Anchor, List, Text } from "@mantine/core";
import { IconPhotoOff } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "react-router";

import { api, type Schemas } from "../../api/client";
import { text } from "../../text";
import { ErrorState, LoadingState } from "../../ui/states";

type Use = Schemas["MediaUse"];
const t = text.publicSite;

/** Where a file is shown that somebody wants to delete: each place with the way to it, for there it has to be taken out first. */
export function Uses({ media, onKnown }: { media: Schemas["SiteMedia"]; onKnown: (used: boolean) => void }) {
  // Asked each time: what was true when the dialog was open last may not be.
  const { data, error, isFetching, refetch } = api.useQuery("get", "/api/v1/site/media/{id}", { params: { path: { id: media.id } } }, { staleTime: 0, gcTime: 0 });
  const uses = isFetching ? undefined : data?.used_by;
  useEffect(() => {
    if (uses) {
      onKnown(uses.length > 0);
    }
  }, [uses, onKnown]);
  if (error) {
    return <ErrorState error={error} retry={() => void refetch()} />;
  }
  if (!uses) {
    return <LoadingState lines={2} />;
  }
  if (uses.length === 0) {
    return <Text size="sm">{t.deleteText}</Text>;
  }
  return (
    <Alert color="orange" role="alert" icon={<IconPhotoOff />} title={t.usedTitle}>
      <List size="sm" mb="xs">
        {uses.map((use) => (
          <List.Item key={use.place + use.id}>
            <Anchor component={Link} to={pageOf(use)} inherit c="inherit">
              {nameOf(use)}
            </Anchor>
          </List.Item>
        ))}
      </List>
      <Text size="sm">{t.usedText}</Text>
    </Alert>
  );
}

function nameOf({ place, name }: Use): string {
  return place === "product" || place === "material" ? `${t.places[place]}: ${name}` : t.places[place];
}

function pageOf({ place, id }: Use): string {
  switch (place) {
    case "product":
      return `/admin/products/${id}`;
    case "material":
      return "/admin/materials";
    case "hero":
    case "landing":
      return "/admin/site?tab=landing";
    default:
      return "/admin/site?tab=legal";
  }
}
