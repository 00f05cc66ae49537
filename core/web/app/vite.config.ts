import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

// The core serves the result below /app/; `npm run dev` serves the sources and passes everything else on to a core.
export default defineConfig(({ mode }) => ({
  base: "/app/",
  plugins: [react()],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: scripts, and fonts and images are cached by name
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/oauth", "/account", "/site", "/openapi.json"].map((path) => [path, loadEnv(mode, ".", "EDGEREF")["EDGEREF_CORE"] ?? "http://127.0.0.1:8081"]),
    ),
  },
}));
