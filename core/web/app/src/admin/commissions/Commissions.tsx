import { text } from "../../text";
import { Page } from "../../ui/Page";
import { CommissionTable } from "./CommissionTable";

export function Commissions() {
  return (
    <Page title={text.nav.commissions} about={text.bookings.commissionsAbout}>
      <CommissionTable />
    </Page>
  );
}
