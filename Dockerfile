FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY docker/bundler ./docker/bundler
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && npm ci --prefix docker/bundler --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts rolldown.pages.config.ts tsconfig.json ./
COPY locales ./locales
COPY pages ./pages
COPY src ./src
COPY docker/compile.mjs ./docker/
RUN node docker/bundler/node_modules/rolldown/bin/cli.mjs --config rolldown.pages.config.ts \
  && node docker/bundler/node_modules/rolldown/bin/cli.mjs --config rolldown.config.ts \
  && chmod -R a+rX dist && install -d -o node -g node .compiled
# Node keeps compiled code per user id, so it is compiled by the user that will run it.
USER node
RUN NODE_COMPILE_CACHE=/app/.compiled node docker/compile.mjs dist/main.js && chmod -R a+rX .compiled

FROM node:26-bookworm-slim
# Node does not start if LANG is not the name of a locale, such as "Simplified Chinese". It names an encoding only:
# the command still speaks the language of LANG.
ENV LC_ALL=C.UTF-8
ENV NODE_ENV=production HOST=:: PORT=5000 DATA_DIR=/data NODE_COMPILE_CACHE=/app/.compiled
WORKDIR /app
RUN install -d -o node -g node /data
COPY --from=build /app/dist ./dist
COPY --from=build /app/.compiled ./.compiled
COPY --chmod=0644 LICENSE ./
COPY --chmod=0755 docker/parley /usr/local/bin/parley
USER node
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({ host: '127.0.0.1', port: process.env.PORT || 5000, path: '/readyz' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))"]
CMD ["node", "dist/main.js"]
