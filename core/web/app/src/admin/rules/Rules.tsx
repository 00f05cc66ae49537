import { text } from "../../text";
import { Page } from "../../ui/Page";
import { RuleTable } from "./RuleTable";

export function Rules() {
  return (
    <Page title={text.nav.rules} about={text.partners.rulesAbout}>
      <RuleTable />
    </Page>
  );
}
