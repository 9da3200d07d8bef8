import { FleetApiClient } from '@mobilewright/driver-mobilenext';

console.log(JSON.stringify(FleetApiClient.name));
