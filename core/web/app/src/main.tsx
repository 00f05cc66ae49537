import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/notifications/styles.css";
import "./ui/base.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";

import { isProblem } from "./api/problem";
import { router } from "./App";
import { config } from "./config";
import { SignedOut } from "./session/session";
import { theme, variables } from "./theme";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // Without a network a page says so, and goes on when it is back.
      networkMode: "always",
      refetchOnReconnect: true,
      // What the core refused it refuses again; what it could not answer may come.
      retry: (count, error) => count < 2 && !(error instanceof SignedOut) && !(isProblem(error) && error.status < 500),
    },
  },
});

// Sign-in returns to the core's own address; begun at another name of the machine, it could not come back.
if (location.origin !== config.origin) {
  location.replace(config.origin + location.pathname + location.search);
} else {
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
        <Notifications position="top-right" />
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
