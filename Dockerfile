FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Left out: a compiler that only types would need (an optional peer of i18next), the packages' own
# tests, builds for browsers, what only commands of packages use (yargs and what it needs), all of
# Swagger UI but the two files that are served, and types, source maps and manuals. Node runs no
# TypeScript below node_modules.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && cd node_modules \
  && rm -rf typescript @typescript @types */test @scarf protobufjs/dist protobufjs/scripts \
    yargs yargs-parser cliui y18n escalade get-caller-file require-directory string-width strip-ansi \
    wrap-ansi ansi-styles ansi-regex color-convert color-name emoji-regex is-fullwidth-code-point \
  && find swagger-ui-dist -type f ! -name package.json ! -name LICENSE ! -name NOTICE ! -name swagger-ui-bundle.js.LICENSE.txt \
    ! -name swagger-ui-bundle.js ! -name swagger-ui.css ! -name favicon-32x32.png -delete \
  && cd .. \
  && find node_modules -type f \
    \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' \) -delete \
  && find node_modules -type d -empty -delete
COPY LICENSE ./
COPY locales ./locales
COPY src ./src
# Readable to all, whatever they are in the clone. Node keeps compiled code per user id, so it is
# compiled by the user that will run it.
RUN chmod -R a+rX LICENSE package.json locales src && install -d -o node -g node .compiled
USER node
RUN NODE_COMPILE_CACHE=/app/.compiled node -e \
    "Promise.all(['compose', 'dialects/ask/grpc/listener'].map((part) => import('/app/src/' + part + '.ts')))" \
  && chmod -R a+rX .compiled

FROM node:26-bookworm-slim
ENV NODE_ENV=production HOST=:: PORT=5000 DATA_DIR=/data NODE_COMPILE_CACHE=/app/.compiled
WORKDIR /app
RUN install -d -o node -g node /data
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/locales ./locales
COPY --from=build /app/src ./src
COPY --from=build /app/.compiled ./.compiled
COPY --chmod=0755 docker/parley /usr/local/bin/parley
USER node
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({ host: '127.0.0.1', port: process.env.PORT || 5000, path: '/healthz' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))"]
CMD ["node", "src/main.ts"]
