import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { IconDownload } from "@tabler/icons-react";

import { sentence } from "../api/problem";
import { text } from "../text";
import { save } from "../ui/table/csv";
import { reportCSV, type Query, type Whose } from "./report";

/** What is shown, as the server writes it: exact, and in major units. */
export function CSVButton({ whose, query, name }: { whose: Whose; query: Query; name: string }) {
  const file = useMutation({
    mutationFn: () => reportCSV(whose, query),
    onSuccess: (body) => save(`report-${name}-${query.from.slice(0, 10)}.csv`, body, "text/csv"),
    onError: (error) => notifications.show({ color: "red", message: sentence(error) }),
  });
  return (
    <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={file.isPending} onClick={() => file.mutate()}>
      {text.analytics.csv}
    </Button>
  );
}
