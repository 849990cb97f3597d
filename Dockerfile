# The program alone, for clusters: docker build -t zoobench . && docker run --rm zoobench version
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /zoobench .

FROM scratch
COPY --from=build /zoobench /zoobench
COPY LICENSE THIRD_PARTY /
ENV ZOOBENCH_CACHE=/data/cache
WORKDIR /data
ENTRYPOINT ["/zoobench"]
