import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'vitepress';
import { sidebarOf } from './sidebar.ts';

const docs = fileURLToPath(new URL('..', import.meta.url));

const config: UserConfig = defineConfig({
  title: 'framepack-node',
  description: 'FramePack video generation for Node.js, without Python.',
  cleanUrls: true,
  // What is built lies with all else that is built, and is not tracked.
  cacheDir: '../build/site-cache',
  outDir: '../build/site',
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'First video', link: '/first-video' },
      { text: 'Command line', link: '/cli' },
      { text: 'API', link: '/api/' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
    ],
    sidebar: sidebarOf(docs),
  },
});

export default config;
