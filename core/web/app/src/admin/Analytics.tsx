import { Explorer } from "../analytics/Explorer";
import { text } from "../text";
import { Page } from "../ui/Page";

export function Analytics() {
  return (
    <Page title={text.nav.analytics} about={text.analytics.about}>
      <Explorer whose="all" by="affiliate" />
    </Page>
  );
}
