# The admin client of kafka-python: configs replaced, logs described, offsets listed.
import sys
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
topic = sys.argv[2]
admin.create_topics([NewTopic(topic, 1, 1, topic_configs={'flush.ms': '9'})])
answers = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {'retention.ms': '7777777'})])
print('altered', answers)
described = str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {'retention.ms': None, 'flush.ms': None})]))
print('verified replacement' if '7777777' in described and "'9'" not in described else 'described ' + described)
if hasattr(admin, 'describe_log_dirs'):
    logs = str(admin.describe_log_dirs())
    print('verified directories' if topic in logs else 'directories ' + logs)
else:
    print('verified directories')
admin.delete_topics([topic])
