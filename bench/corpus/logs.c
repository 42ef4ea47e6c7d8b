/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines as a central log store keeps them: keyed by time, several programs interleaved, each in
 * its own format.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/generator.h"

/* How many people are on the site at a time. */
enum { N_VISITORS = 12 };

struct logs {
    struct corpus_rng *rng;
    struct corpus_text key, value;
    uint64_t now_us;
    uint32_t counter;
    uint32_t attacker; /* which address is guessing passwords at the moment */
    struct {
        uint8_t ip[4];
        const char *user_agent;
        uint32_t product; /* a visitor looks around one product at a time */
    } visitors[N_VISITORS];
    char trace[40]; /* the request that several lines belong to */
    unsigned trace_lines_left;
};

static const char *const hosts[] = {"web-01", "web-02", "web-03", "app-01", "app-02", "db-01"};
static const char *const services[] = {"checkout", "catalog", "gateway", "payments", "inventory"};

static void new_visitor(struct logs *g, unsigned i)
{
    struct corpus_person who;
    corpus_person_of(&who, 3000 + corpus_zipf(g->rng, 4000, 10));
    memcpy(g->visitors[i].ip, who.ip, sizeof who.ip);
    g->visitors[i].user_agent = corpus_user_agent(g->rng);
    g->visitors[i].product = 1000 + corpus_zipf(g->rng, 2500, 12);
}

/* Writes the method and the path, and returns the size of a full answer: fixed for a file. */
static uint64_t request(struct corpus_text *v, struct corpus_rng *rng, uint32_t product_id)
{
    struct corpus_product product;
    const uint64_t page_bytes = 9000 + corpus_exponential(rng, 12000);
    switch (corpus_zipf(rng, 7, 2)) {
    case 0:
        corpus_product_of(&product, product_id);
        text_printf(v, "GET /products/%s/%s", product.category, product.sku);
        return page_bytes;
    case 1: {
        static const char *const files[] = {"app.8f3e21c0.js", "vendor.17ab90de.js",
                                            "main.c44d02e9.css", "icons.0b7731fa.svg"};
        static const uint32_t file_bytes[] = {184213, 402877, 51360, 18944};
        const uint32_t file = corpus_zipf(rng, LENGTH(files), 2);
        text_printf(v, "GET /static/%s", files[file]);
        return file_bytes[file];
    }
    case 2: {
        const bool small = corpus_chance(rng, 60);
        text_printf(v, "GET /images/p/%u_%s.webp", product_id, small ? "400x400" : "1200x1200");
        return (small ? 9000 : 52000) + (uint64_t)product_id * 7919 % 23000;
    }
    case 3: {
        const bool change = corpus_chance(rng, 40);
        text_printf(v, "%s /api/v2/cart/%u", change ? "POST" : "GET",
                    810000 + corpus_zipf(rng, 9000, 30));
        return 240 + page_bytes % 900;
    }
    case 4:
        text_str(v, "GET /");
        return page_bytes;
    case 5:
        text_printf(v, "GET /api/v2/products?category=%u", corpus_zipf(rng, 40, 4));
        text_printf(v, "&page=%u&per_page=48", 1 + corpus_zipf(rng, 20, 1));
        return page_bytes;
    default:
        text_printf(v, "GET /search?q=%s",
                    corpus_chance(rng, 50)   ? "lamp"
                    : corpus_chance(rng, 50) ? "mug"
                                             : "usb+cable");
        text_printf(v, "&sort=%s", corpus_chance(rng, 70) ? "relevance" : "price_asc");
        return page_bytes;
    }
}

/* The combined format of web servers, with the request time at its end. */
static void access_line(struct logs *g)
{
    struct corpus_rng *rng = g->rng;
    struct corpus_text *v = &g->value;
    static const uint16_t statuses[] = {200, 304, 302, 404, 499, 500, 403};
    static const uint16_t status_weights[] = {820, 70, 45, 40, 12, 8, 5};
    static const char *const referrers[] = {"-", "https://www.shop.example/",
                                            "https://www.shop.example/products/kitchen",
                                            "https://www.google.com/", "https://www.bing.com/"};
    const struct corpus_date d = corpus_date_of(g->now_us / 1000);
    const unsigned visitor = corpus_zipf(rng, N_VISITORS, 3);
    if (corpus_chance(rng, 4))
        new_visitor(g, visitor);
    text_printf(v, "%s nginx: ", hosts[corpus_zipf(rng, 3, 2)]);
    text_ip(v, g->visitors[visitor].ip);
    text_printf(v, " - - [%02d/%s/%04d:%02d:%02d:%02d +0000] \"", d.day, corpus_month_name(d.month),
                d.year, d.hour, d.minute, d.second);
    const uint64_t body_bytes = request(v, rng, g->visitors[visitor].product);
    const unsigned status = corpus_weighted(rng, status_weights, LENGTH(status_weights));
    text_printf(v, " HTTP/%s", corpus_chance(rng, 92) ? "2.0" : "1.1");
    text_printf(v, "\" %u %llu", statuses[status],
                (unsigned long long)(status == 0   ? body_bytes
                                     : status == 1 ? 0
                                                   : 146 + 9 * status));
    text_printf(v, " \"%s\" \"%s", referrers[corpus_zipf(rng, LENGTH(referrers), 1)],
                g->visitors[visitor].user_agent);
    text_printf(v, "\" %u", corpus_chance(rng, 98) ? 0 : corpus_zipf(rng, 9, 1));
    text_printf(v, ".%03u", corpus_zipf(rng, 800, 6));
}

static void new_trace(struct logs *g)
{
    for (unsigned i = 0; i < 32; i++)
        g->trace[i] = "0123456789abcdef"[corpus_below(g->rng, 16)];
    g->trace[32] = 0;
    g->trace_lines_left = 3 + corpus_zipf(g->rng, 14, 4);
}

/* A Java-like application: time, level, thread, class, message; now and then a stack trace. */
static void application_line(struct logs *g)
{
    struct corpus_rng *rng = g->rng;
    struct corpus_text *v = &g->value;
    static const char *const classes[] = {
        "c.e.shop.order.OrderService", "c.e.shop.cart.CartController",
        "c.e.shop.stock.StockClient",  "c.e.shop.pay.PaymentGateway",
        "c.e.shop.mail.MailQueue",     "o.a.k.c.c.i.ConsumerCoordinator"};
    const unsigned class = corpus_zipf(rng, LENGTH(classes), 2);
    const unsigned level = corpus_zipf(rng, 100, 1);
    if (g->trace_lines_left == 0)
        new_trace(g);
    g->trace_lines_left--;
    text_sql_time(v, g->now_us / 1000);
    text_printf(v, ",%03u %s [%s", (unsigned)(g->now_us / 1000 % 1000),
                level < 55   ? "INFO "
                : level < 85 ? "DEBUG"
                : level < 96 ? "WARN "
                             : "ERROR",
                corpus_chance(rng, 80) ? "http-nio-8080" : "kafka");
    text_printf(v, "-exec-%u] [trace=%s] %s - ", 1 + corpus_zipf(rng, 24, 4), g->trace,
                classes[class]);
    const unsigned order =
        41870000 + (unsigned)(g->now_us / 700000 % 1000000) - corpus_zipf(rng, 90, 1);
    switch (class) {
    case 0:
        text_printf(v, "Order %u moved from %s", order,
                    corpus_chance(rng, 60) ? "PAID to SHIPPED" : "PENDING to PAID");
        text_printf(v, " in %u ms", 4 + corpus_zipf(rng, 300, 8));
        break;
    case 1:
        text_printf(v, "Cart %u", 810000 + corpus_zipf(rng, 9000, 30));
        text_printf(v, " updated: items=%u total=", 1 + corpus_zipf(rng, 12, 1));
        text_money(v, 500 + (int64_t)corpus_exponential(rng, 6000));
        break;
    case 2:
        text_printf(v, "Reserved %u", 1 + corpus_zipf(rng, 6, 1));
        text_printf(v, " of product %u", 1000 + corpus_zipf(rng, 6000, 25));
        text_printf(v, " in warehouse %s", corpus_chance(rng, 60) ? "HAM-1" : "MIL-2");
        text_printf(v, ", %u left", corpus_zipf(rng, 900, 10));
        break;
    case 3:
        text_printf(v, "Authorization for order %u %s", order,
                    corpus_chance(rng, 94) ? "approved" : "declined: insufficient_funds");
        text_printf(v, " (provider=%s, ref=", corpus_chance(rng, 60) ? "adyen" : "stripe");
        text_hex(v, rng, 12);
        text_char(v, ')');
        break;
    case 4:
        text_printf(v, "Queued template order_confirmation for customer %u",
                    400000 + corpus_zipf(rng, 60000, 40));
        text_printf(v, ", queue size %u", corpus_zipf(rng, 200, 3));
        break;
    default:
        text_printf(v, "[Consumer clientId=%s-2, groupId=orders] Committed offset %llu",
                    hosts[3 + corpus_below(rng, 2)],
                    (unsigned long long)(g->now_us / 1900 % 100000000));
        text_printf(v, " for partition orders-%u", corpus_zipf(rng, 12, 6));
        break;
    }
    if (level >= 96) {
        static const char *const causes[] = {
            "java.net.SocketTimeoutException: Read timed out",
            "org.springframework.dao.DataAccessResourceFailureException: Connection is closed",
            "java.lang.IllegalStateException: order already processed"};
        static const char *const frames[] = {
            "com.example.shop.pay.PaymentGateway.authorize(PaymentGateway.java:%u)",
            "com.example.shop.order.OrderService.process(OrderService.java:%u)",
            "java.base/"
            "java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:%u)",
            "org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:%"
            "u)",
            "com.example.shop.http.RetryingClient.execute(RetryingClient.java:%u)",
            "java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:%u)"};
        text_printf(v, "\n%s", causes[corpus_zipf(rng, LENGTH(causes), 1)]);
        const unsigned depth = 4 + corpus_zipf(rng, 14, 4);
        for (unsigned i = 0; i < depth; i++) {
            const unsigned frame = corpus_zipf(rng, LENGTH(frames), 3);
            text_str(v, "\n\tat ");
            text_printf(v, frames[frame], 40 + 17 * frame + 31 * corpus_zipf(rng, 4, 1));
        }
    }
}

/* key=value pairs of a service written in Go. */
static void logfmt_line(struct logs *g)
{
    struct corpus_rng *rng = g->rng;
    struct corpus_text *v = &g->value;
    static const char *const messages[] = {"request completed", "cache miss", "upstream call",
                                           "token refreshed",   "retrying",   "circuit half-open"};
    const unsigned message = corpus_zipf(rng, LENGTH(messages), 1);
    text_str(v, "time=");
    text_iso_time(v, g->now_us / 1000);
    text_printf(v, " level=%s service=%s", message < 4 ? "info" : "warn",
                services[corpus_zipf(rng, LENGTH(services), 2)]);
    text_printf(v, " host=%s msg=\"%s\"", hosts[3 + corpus_below(rng, 2)], messages[message]);
    text_str(v, " request_id=");
    text_hex(v, rng, 16);
    if (message == 1) {
        text_printf(v, " key=product:%u", 1000 + corpus_zipf(rng, 6000, 25));
        text_printf(v, " ttl=%u", 60 * (1 + corpus_zipf(rng, 5, 1)));
    } else if (message == 0 || message == 2) {
        text_printf(v, " method=GET route=/v2/%s",
                    corpus_chance(rng, 60) ? "products/{id}" : "prices");
        text_printf(v, " status=%u", corpus_chance(rng, 96) ? 200 : 503);
        text_printf(v, " duration=%u", corpus_zipf(rng, 200, 4));
        text_printf(v, ".%02u", (unsigned)corpus_below(rng, 100));
        text_printf(v, "ms bytes=%llu", (unsigned long long)corpus_exponential(rng, 3000));
    } else {
        text_printf(v, " attempt=%u", 1 + corpus_zipf(rng, 4, 1));
        text_printf(v, " backoff=%ums", 100u << corpus_zipf(rng, 5, 1));
    }
}

/* syslog of a host: logins that fail, jobs, the kernel, the connection pool. */
static void system_line(struct logs *g)
{
    struct corpus_rng *rng = g->rng;
    struct corpus_text *v = &g->value;
    static const char *const users[] = {"root", "admin", "test", "oracle", "ubuntu", "postgres"};
    const struct corpus_date d = corpus_date_of(g->now_us / 1000);
    text_printf(v, "%s %2d %02d:%02d:%02d %s ", corpus_month_name(d.month), d.day, d.hour, d.minute,
                d.second, hosts[corpus_zipf(rng, LENGTH(hosts), 3)]);
    if (corpus_chance(rng, 4))
        g->attacker = (uint32_t)corpus_rng_next(rng);
    const uint8_t from[4] = {(uint8_t)(91 + (g->attacker & 63)), (uint8_t)(g->attacker >> 8),
                             (uint8_t)(g->attacker >> 16), (uint8_t)(g->attacker >> 24)};
    switch (corpus_zipf(rng, 5, 2)) {
    case 0:
        text_printf(v, "sshd[%u", 9000 + corpus_zipf(rng, 900, 9));
        text_printf(v, "]: Failed password for %s", corpus_chance(rng, 70) ? "" : "invalid user ");
        text_printf(v, "%s from ", users[corpus_zipf(rng, LENGTH(users), 1)]);
        text_ip(v, from);
        text_printf(v, " port %u ssh2", (unsigned)corpus_between(rng, 32768, 60999));
        break;
    case 1:
        text_printf(v, "postgres[%u", 2100 + corpus_zipf(rng, 40, 4));
        text_printf(v, "]: LOG:  duration: %u", corpus_zipf(rng, 400, 5));
        text_printf(v, ".%03u", (unsigned)corpus_below(rng, 1000));
        text_printf(v,
                    " ms  statement: SELECT id, status, total FROM orders WHERE customer_id = %u "
                    "ORDER BY created_at DESC LIMIT 20",
                    400000 + corpus_zipf(rng, 60000, 40));
        break;
    case 2:
        text_printf(v, "CRON[%u", 20000 + corpus_zipf(rng, 900, 30));
        text_printf(v, "]: (%s", corpus_chance(rng, 80) ? "root" : "deploy");
        text_printf(v, ") CMD (/usr/local/bin/%s >/dev/null 2>&1)",
                    corpus_chance(rng, 60) ? "collect-metrics --quiet" : "rotate-uploads");
        break;
    case 3:
        text_printf(v,
                    "kernel: [%u.%06u] TCP: request_sock_TCP: Possible SYN flooding on port %u. "
                    "Sending cookies.",
                    (unsigned)(g->now_us / 1000000 % 9000000), (unsigned)(g->now_us % 1000000),
                    corpus_chance(rng, 80) ? 443 : 8080);
        break;
    default:
        text_printf(v, "systemd[1]: %s: Deactivated successfully.",
                    corpus_chance(rng, 50) ? "logrotate.service" : "apt-daily.service");
        break;
    }
}

bool corpus_logs(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct logs *g = calloc(1, sizeof *g);
    if (!g)
        return false;
    g->rng = rng;
    g->now_us = CORPUS_EPOCH_MS * 1000;
    static const uint16_t mix[] = {48, 24, 18, 10};
    unsigned source = 0;
    for (unsigned i = 0; i < N_VISITORS; i++)
        new_visitor(g, i);
    while (corpus_wants_more(w)) {
        /* Programs write in bursts. */
        if (corpus_chance(rng, 22))
            source = corpus_weighted(rng, mix, LENGTH(mix));
        g->now_us += corpus_exponential(rng, 2600);
        g->counter++;
        text_clear(&g->key);
        text_clear(&g->value);
        text_be(&g->key, g->now_us, 8);
        text_be(&g->key, g->counter, 4);
        switch (source) {
        case 0:
            access_line(g);
            break;
        case 1:
            application_line(g);
            break;
        case 2:
            logfmt_line(g);
            break;
        default:
            system_line(g);
            break;
        }
        corpus_put(w, &g->key, &g->value);
    }
    free(g);
    return true;
}
