// SPDX-License-Identifier: Apache-2.0
// RocksJavaClient write|read <scenario> <database>: fills a database through RocksJava, or prints a
// digest of all that it holds. The content depends on nothing but the scenario. The program knows
// nothing of rockpress.
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteOptions;

public final class RocksJavaClient {
    private static final int THREADS = 3;
    private static final int KEYS = 12000;

    private static byte[] key(int thread, int i) {
        return String.format("user%02d:%08d", thread, i).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] value(String scenario, int thread, int i) {
        StringBuilder text = new StringBuilder();
        int seed = (thread * 7919 + i) * 0x9E3779B1;
        for (int n = 0; n < (scenario.equals("blob") ? 8 : 1); n++) {
            seed = seed * 1103515245 + 12345;
            text.append("{\"id\":").append(i).append(",\"customer\":\"C").append(Math.abs(seed % 5000))
                .append("\",\"state\":\"").append(seed % 3 == 0 ? "open" : "delivered")
                .append("\",\"token\":\"").append(Integer.toHexString(seed)).append("\"}");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static DBOptions databaseOptions(String scenario) {
        Properties properties = new Properties();
        properties.setProperty("create_if_missing", "true");
        properties.setProperty("max_background_jobs", "3");
        if (scenario.equals("wal")) {
            properties.setProperty("wal_compression", "kZSTD");
        }
        return DBOptions.getDBOptionsFromProps(properties);
    }

    private static ColumnFamilyOptions familyOptions(String scenario) {
        CompressionOptions compression = new CompressionOptions().setLevel(3);
        if (scenario.equals("dictionary")) {
            compression.setMaxDictBytes(16384).setZStdMaxTrainBytes(1 << 20);
        }
        ColumnFamilyOptions options = new ColumnFamilyOptions()
            .setCompressionType(CompressionType.ZSTD_COMPRESSION)
            .setCompressionOptions(compression)
            .setWriteBufferSize(scenario.equals("wal") ? 64 << 20 : 1 << 20)
            .setTargetFileSizeBase(1 << 20)
            .setTableFormatConfig(new BlockBasedTableConfig().setBlockSize(4096));
        if (scenario.equals("blob")) {
            options.setEnableBlobFiles(true).setMinBlobSize(300)
                .setBlobCompressionType(CompressionType.ZSTD_COMPRESSION);
        }
        return options;
    }

    private static RocksDB open(String scenario, String path, List<ColumnFamilyHandle> handles)
        throws Exception {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        families.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions(scenario)));
        return RocksDB.open(databaseOptions(scenario), path, families, handles);
    }

    private static void write(String scenario, String path) throws Exception {
        Files.createDirectories(Paths.get(path));
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        RocksDB db = open(scenario, path, handles);
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            final int thread = t;
            threads.add(new Thread(() -> {
                try (WriteOptions options = new WriteOptions()) {
                    for (int i = 0; i < KEYS; i++) {
                        int k = (int) ((i * 4969L) % KEYS);
                        db.put(options, key(thread, k), value(scenario, thread, k));
                    }
                } catch (Throwable problem) {
                    synchronized (failures) {
                        failures.add(problem);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new Exception(failures.get(0));
        }
        if (scenario.equals("wal")) {
            // All of it is in the log then, as after a crash of the program.
            db.flushWal(true);
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
        db.flush(new FlushOptions().setWaitForFlush(true));
        db.compactRange();
        handles.get(0).close();
        db.close();
    }

    private static void read(String scenario, String path) throws Exception {
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        int n = 0;
        try (RocksDB db = open(scenario, path, handles); RocksIterator at = db.newIterator()) {
            for (at.seekToFirst(); at.isValid(); at.next()) {
                digest.update(at.key());
                digest.update(at.value());
                n++;
            }
            at.status();
            handles.get(0).close();
        }
        StringBuilder text = new StringBuilder();
        for (byte each : digest.digest()) {
            text.append(String.format("%02x", each));
        }
        System.out.println(n + " keys " + text);
    }

    public static void main(String[] arguments) throws Exception {
        RocksDB.loadLibrary();
        if (arguments.length == 3 && arguments[0].equals("write")) {
            write(arguments[1], arguments[2]);
        } else if (arguments.length == 3 && arguments[0].equals("read")) {
            read(arguments[1], arguments[2]);
        } else {
            System.err.println("usage: RocksJavaClient write|read <scenario> <database>");
            System.exit(2);
        }
    }
}
