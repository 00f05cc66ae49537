import { text } from "../../text";
import { Page } from "../../ui/Page";
import { LinkTable } from "./LinkTable";

export function Links() {
  return (
    <Page title={text.nav.links} about={text.partners.linksAbout}>
      <LinkTable />
    </Page>
  );
}
