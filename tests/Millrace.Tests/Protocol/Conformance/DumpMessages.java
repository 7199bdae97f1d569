import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Writes every message of the given jars at every version, once with random values and once with defaults: "Name version hex". */
public class DumpMessages {
    private static final Random random = new Random(1);

    public static void main(String[] jars) throws Exception {
        for (String jar : jars) {
            try (JarFile file = new JarFile(jar)) {
                for (var entries = file.entries(); entries.hasMoreElements();) {
                    String name = entries.nextElement().getName();
                    if (name.endsWith(".class") && !name.contains("$") && (name.contains("/common/message/") || name.contains("/generated/"))) {
                        Class<?> type = Class.forName(name.substring(0, name.length() - 6).replace('/', '.'));
                        if (ApiMessage.class.isAssignableFrom(type) && !type.isInterface()) {
                            dump(type);
                        }
                    }
                }
            }
        }
    }

    private static void dump(Class<?> type) throws Exception {
        Message limits = (Message) type.getConstructor().newInstance();
        for (short version = limits.lowestSupportedVersion(); version <= limits.highestSupportedVersion(); version++) {
            for (boolean fill : new boolean[] {true, true, false}) {
                Message message = (Message) type.getConstructor().newInstance();
                if (fill) {
                    fill(message, version);
                }
                try {
                    ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
                    byte[] array = new byte[bytes.remaining()];
                    bytes.get(array);
                    System.out.println(type.getSimpleName() + " " + version + " " + HexFormat.of().formatHex(array));
                } catch (RuntimeException e) {
                    if (fill) {
                        throw new RuntimeException(type.getSimpleName() + " " + version, e);
                    }
                }
            }
        }
    }

    private static void fill(Object instance, short version) throws Exception {
        Set<String> names = new HashSet<>();
        Schema schema = ((Schema[]) instance.getClass().getField("SCHEMAS").get(null))[version];
        if (schema == null) {
            return;
        }
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tagged) {
                tagged.fields().values().forEach(inner -> names.add(inner.name));
            } else {
                names.add(field.def.name);
            }
        }
        for (Field field : instance.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && names.contains(snake(field.getName()))) {
                field.setAccessible(true);
                field.set(instance, value(field, version));
            }
        }
    }

    private static String snake(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").replaceAll("([A-Z])([A-Z][a-z])", "$1_$2").toLowerCase();
    }

    @SuppressWarnings("unchecked")
    private static Object value(Field field, short version) throws Exception {
        Class<?> type = field.getType();
        if (Collection.class.isAssignableFrom(type)) {
            Collection<Object> items;
            Class<?> element;
            if (type == List.class) {
                items = new ArrayList<>();
                element = (Class<?>) ((ParameterizedType) field.getGenericType()).getActualTypeArguments()[0];
            } else {
                items = (Collection<Object>) type.getConstructor().newInstance();
                element = (Class<?>) ((ParameterizedType) type.getGenericSuperclass()).getActualTypeArguments()[0];
            }
            for (int count = random.nextInt(3); count > 0; count--) {
                items.add(single(element, version));
            }
            return items;
        }
        return single(type, version);
    }

    private static Object single(Class<?> type, short version) throws Exception {
        if (type == boolean.class) {
            return random.nextBoolean();
        } else if (type == byte.class || type == Byte.class) {
            return (byte) random.nextInt();
        } else if (type == short.class || type == Short.class) {
            return (short) random.nextInt();
        } else if (type == int.class || type == Integer.class) {
            return random.nextInt();
        } else if (type == long.class || type == Long.class) {
            return random.nextLong();
        } else if (type == double.class) {
            return random.nextDouble();
        } else if (type == Uuid.class) {
            return new Uuid(random.nextLong(), random.nextLong());
        } else if (type == String.class) {
            return "text-" + random.nextInt(1000) + "é漢";
        } else if (type == byte[].class) {
            return bytes();
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes());
        } else if (Message.class.isAssignableFrom(type)) {
            Object instance = type.getConstructor().newInstance();
            fill(instance, version);
            return instance;
        } else if (type.isAssignableFrom(MemoryRecords.class)) {
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        }
        throw new IllegalArgumentException(type.toString());
    }

    private static byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(10)];
        random.nextBytes(bytes);
        return bytes;
    }
}
