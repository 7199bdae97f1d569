import org.apache.kafka.server.config.AbstractKafkaConfig;

/** Writes the names of all broker configs, a line each. */
public class DumpBrokerConfigs {
    public static void main(String[] none) {
        AbstractKafkaConfig.CONFIG_DEF.names().forEach(System.out::println);
    }
}
