import { defineConfig } from "vite";

// One page's script for tests and benchmarks, built from the folder above; the product does not carry it.
export default defineConfig({
  base: "/static/bench/",
  publicDir: false,
  worker: { format: "es" },
  build: {
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 6000,
    rollupOptions: { input: { stage: "bench/stage.ts" }, output: { entryFileNames: "[name].js" } },
  },
});
