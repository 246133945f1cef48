import { defineConfig } from "vitest/config";

// Django serves what is built here; the development server is not used (`npm run watch` behind Django).
export default defineConfig({
  base: "./",
  publicDir: false,
  worker: { format: "es" },
  build: {
    outDir: "static/app",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsDir: "a",
    // Cornerstone3D and vtk.js are one large chunk on purpose: they load once, named by content.
    chunkSizeWarningLimit: 6000,
    rollupOptions: {
      input: { read: "src/read/main.ts", console: "src/console/console.ts" },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
